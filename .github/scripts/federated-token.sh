#!/usr/bin/env bash
# Exchanges nothing itself: puts the workflow's own OIDC token where Azure's SDKs look for a federated
# token (AZURE_FEDERATED_TOKEN_FILE, workload identity), and keeps it fresh, because it lives for minutes
# and an update may take hours. azure-native asks GitHub by itself (ARM_USE_OIDC).
# Source: docs.github.com/actions/concepts/security/openid-connect,
# learn.microsoft.com/entra/workload-id/workload-identity-federation.
set -euo pipefail

: "${ACTIONS_ID_TOKEN_REQUEST_URL:?the job needs the permission id-token: write}"
: "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:?the job needs the permission id-token: write}"
: "${RUNNER_TEMP:?}" "${GITHUB_ENV:?}"
file="$RUNNER_TEMP/azure-federated-token"

fetch() {
  (
    umask 077
    curl --silent --show-error --fail --retry 3 --max-time 30 \
      -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
      "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=api%3A%2F%2FAzureADTokenExchange" |
      jq --exit-status --raw-output --join-output .value > "$file.new"
    # Nobody may find half a token.
    mv "$file.new" "$file"
  )
}

fetch
echo "AZURE_FEDERATED_TOKEN_FILE=$file" >> "$GITHUB_ENV"
if [ "${1:-}" != "--once" ]; then
  (while sleep 240; do fetch || true; done) > /dev/null 2>&1 &
fi
