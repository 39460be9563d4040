/** A comment as GitHub shows it: CommonMark with GitHub's extensions, and HTML as it is. */
export async function rendered(markdown: string): Promise<string> {
  // ES modules, which this project's CommonJS cannot require.
  const { micromark } = await import("micromark");
  const { gfm, gfmHtml } = await import("micromark-extension-gfm");
  return micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}
