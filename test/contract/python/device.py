"""A device on Microsoft's Python SDK: registers, connects to its hub, sends telemetry, reads its twin.

Takes one JSON argument and prints one JSON line. `server_ca` is the only root it trusts; without it, those
that Python trusts.
"""

import json
import sys

from azure.iot.device import IoTHubDeviceClient, Message, ProvisioningDeviceClient, X509


def read_root(arguments):
    if arguments.get("server_ca") is None:
        return None
    with open(arguments["server_ca"], encoding="ascii") as file:
        return file.read()


def main(arguments):
    server_ca = read_root(arguments)
    x509 = X509(cert_file=arguments["cert"], key_file=arguments["key"])
    websockets = arguments.get("websockets", False)
    registration = ProvisioningDeviceClient.create_from_x509_certificate(
        provisioning_host=arguments["provisioning_host"],
        registration_id=arguments["registration_id"],
        id_scope=arguments["id_scope"],
        x509=x509,
        server_verification_cert=server_ca,
        websockets=websockets,
    )
    try:
        result = registration.register()
    except Exception as error:  # the SDK says what it was in the cause
        return {"refused": f"{type(error).__name__}: {error!r} <- {error.__cause__!r}"}
    state = result.registration_state
    device = IoTHubDeviceClient.create_from_x509_certificate(
        x509=x509,
        hostname=state.assigned_hub,
        device_id=state.device_id,
        server_verification_cert=server_ca,
        websockets=websockets,
    )
    device.connect()
    device.send_message(Message(arguments["telemetry"]))
    device.patch_twin_reported_properties({"seen": arguments["telemetry"]})
    twin = device.get_twin()
    device.shutdown()
    return {
        "status": result.status,
        "hub": state.assigned_hub,
        "device": state.device_id,
        "reported": twin["reported"].get("seen"),
    }


print(json.dumps(main(json.loads(sys.argv[1]))))
