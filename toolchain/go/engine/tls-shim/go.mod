// The provider inside the npm package @pulumi/tls 5.3.1; it serves 5.4.0 as well, whose schema is the same.
module github.com/hashicorp/terraform-provider-tls/shim

go 1.25.0

require (
	github.com/hashicorp/terraform-plugin-framework v1.15.0
	github.com/hashicorp/terraform-provider-tls v1.2.1-0.20260130152455-857b38cda3fc
)
