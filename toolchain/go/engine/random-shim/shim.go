// Package shim opens the provider to our command: Go lets only a package whose path lies under
// the provider's own import its internal packages.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"

	upstream "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// New is the upstream provider, unchanged.
func New() provider.Provider { return upstream.New() }
