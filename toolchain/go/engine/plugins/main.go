// Command plugins serves the resource plugin it is called as: pulumi-resource-tls or
// pulumi-resource-random. One binary, because nearly all of it is the bridge that both share.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	random "github.com/terraform-providers/terraform-provider-random/shim"

	tls "github.com/hashicorp/terraform-provider-tls/shim"
)

// The versions of the npm packages @pulumi/tls and @pulumi/random, set by the linker: the engine
// compares them with what a program asks for.
var (
	tlsVersion    = "0.0.0"
	randomVersion = "0.0.0"
)

type plugin struct {
	provider provider.Provider
	version  string
	// The Pulumi names of the resources begin with it: random_id is RandomId, not Id.
	resourcePrefix string
	resources      map[string]*tfbridge.ResourceInfo
}

func plugins() map[string]plugin {
	return map[string]plugin{
		"tls": {provider: tls.New(), version: tlsVersion},
		"random": {
			provider: random.New(), version: randomVersion, resourcePrefix: "Random",
			// The only one without an attribute "id": its id is its bytes.
			resources: map[string]*tfbridge.ResourceInfo{"random_bytes": {ComputeID: idOfBytes}},
		},
	}
}

func main() {
	called := filepath.Base(os.Args[0])
	name := strings.TrimSuffix(strings.TrimPrefix(called, "pulumi-resource-"), ".exe")
	chosen, known := plugins()[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: call this program as pulumi-resource-tls or pulumi-resource-random\n", called)
		os.Exit(1)
	}
	info := describe(name, chosen)
	schema := fmt.Sprintf(`{"name":%q,"version":%q}`, name, chosen.version)
	pf.Main(context.Background(), name, info, pf.ProviderMetadata{PackageSchema: []byte(schema)})
}

func describe(name string, chosen plugin) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:         pf.ShimProvider(chosen.provider),
		Name:      name,
		Version:   chosen.version,
		Resources: chosen.resources,
		// As in Pulumi's own plugins: previews show planned values, and a first schema is number 0.
		EnableAccurateBridgePreview:    true,
		EnableZeroDefaultSchemaVersion: name == "tls",
		EnableRawStateDelta:            name == "random",
		MetadataInfo:                   tfbridge.NewProviderMetadata([]byte("{}")),
	}
	standard := tokens.MakeStandard(name)
	token := func(module, resource string) (string, error) {
		return standard(module, chosen.resourcePrefix+resource)
	}
	info.MustComputeTokens(tokens.SingleModule(name+"_", "index", token))
	return info
}

func idOfBytes(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
	value := state["base64"]
	// The bytes are secret, but the engine knows no secret ids.
	if value.IsSecret() {
		value = value.SecretValue().Element
	}
	if !value.IsString() {
		return "", errors.New("random bytes without base64")
	}
	return resource.ID(value.StringValue()), nil
}
