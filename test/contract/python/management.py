"""A DPS and its CA certificate from creation to deletion, on Microsoft's Python management SDK.

Takes one JSON argument and prints one JSON line. REQUESTS_CA_BUNDLE, when it is set, names the only root that
is trusted. Credentials come from the environment, as DefaultAzureCredential takes them.
"""

import datetime
import json
import sys

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.iothubprovisioningservices import IotDpsClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID


def proof(code, ca_pem, key_pem):
    """A certificate whose common name is the code, signed with the CA's key; DER."""
    ca = x509.load_pem_x509_certificate(ca_pem.encode())
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def refusal(call):
    try:
        call()
    except HttpResponseError as error:
        return error.status_code
    return "not refused"


def certificate(client, where, arguments):
    operations = client.dps_certificate
    body = {"properties": {"certificate": arguments["ca_pem"].encode()}}
    made = operations.create_or_update(*where, "py-root", body)
    unguarded = refusal(lambda: operations.create_or_update(*where, "py-root", body))
    name = {"certificate_name": "py-root"}
    place = {"resource_group_name": where[0], "provisioning_service_name": where[1]}

    def guarded(etag):
        return {"etag": etag, "match_condition": MatchConditions.IfNotModified}

    coded = operations.generate_verification_code(**name, **place, **guarded(made.etag))
    code = coded.properties.verification_code
    signed = proof(code, arguments["ca_pem"], arguments["ca_key"])
    stale = refusal(
        lambda: operations.verify_certificate(
            **name, **place, request={"certificate": signed.decode()}, **guarded(made.etag)
        )
    )
    verified = operations.verify_certificate(
        **name, **place, request={"certificate": signed.decode()}, **guarded(coded.etag)
    )
    listed = operations.list(*where).value
    operations.delete(*where, "py-root", **guarded(verified.etag))
    return {
        "made": [made.properties.subject, made.properties.is_verified],
        "unguarded": unguarded,
        "code": len(code),
        "newEtags": len({made.etag, coded.etag, verified.etag}),
        "stale": stale,
        "verified": verified.properties.is_verified,
        "listed": [one.name for one in listed],
        "gone": refusal(lambda: operations.get(**name, **place)),
    }


def main(arguments):
    # Microsoft's list of its own token services does not have that of a sandbox.
    of_sandbox = {"authority": arguments["authority"], "disable_instance_discovery": True}
    credential = DefaultAzureCredential(**(of_sandbox if arguments.get("authority") else {}))
    client = IotDpsClient(credential, arguments["subscription"], arguments["endpoint"])
    group, name = arguments["group"], arguments["name"]
    resource = client.iot_dps_resource
    body = {"location": arguments["location"], "sku": {"name": "S1", "capacity": 1}, "properties": {}}
    made = resource.begin_create_or_update(group, name, body).result()
    keys = list(resource.list_keys(name, group))
    one = resource.list_keys_for_key_name(name, keys[0].key_name, group)
    answers = certificate(client, (group, name), arguments)
    tagged = resource.begin_update(group, name, {"tags": {"by": "python"}}).result()
    names = [service.name for service in resource.list_by_resource_group(group)]
    resource.begin_delete(name, group).result()
    return {
        "made": [made.name, made.properties.state, made.properties.allocation_policy],
        "scope": made.properties.id_scope,
        "keys": [key.key_name for key in keys],
        "same": one.primary_key == keys[0].primary_key,
        "certificate": answers,
        "tags": dict(tagged.tags),
        "names": names,
        "gone": refusal(lambda: resource.get(name, group)),
    }


print(json.dumps(main(json.loads(sys.argv[1]))))
