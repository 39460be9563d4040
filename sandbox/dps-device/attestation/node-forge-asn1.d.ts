/** The part of node-forge that reads ASN.1: it loads in a tenth of the time that all of it needs. */
declare module "node-forge/lib/asn1" {
  import { asn1 } from "node-forge";
  export default asn1;
}
