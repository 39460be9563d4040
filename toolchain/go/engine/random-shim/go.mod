// The provider inside the npm package @pulumi/random 4.20.0; change both together.
module github.com/terraform-providers/terraform-provider-random/shim

go 1.25.0

require (
	github.com/hashicorp/terraform-plugin-framework v1.15.0
	github.com/terraform-providers/terraform-provider-random v1.3.2-0.20260513075824-f8d869dc98d9
)
