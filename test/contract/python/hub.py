"""What a back end does at an IoT hub, on Microsoft's Python service SDK: the answers, as one JSON line.

Takes one JSON argument. REQUESTS_CA_BUNDLE, when it is set, names the only root that is trusted; `server_ca`
does for the device.
"""

import json
import sys
import time

from azure.iot.device import IoTHubDeviceClient, MethodResponse, X509
from azure.iot.hub import IoTHubJobManager, IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, ExportImportDevice, QuerySpecification, Twin
from msrest.exceptions import HttpOperationError


def refusal(call):
    """Status and code of the answer to a call that has to fail."""
    try:
        call()
    except HttpOperationError as error:
        message = error.response.json()["Message"]
        # A direct method's refusal is JSON inside the message.
        code = json.loads(message)["errorCode"] if message.startswith("{") else message.split(";")[0]
        return [error.response.status_code, code]
    return "not refused"


def registry(hub):
    thumbprint = "A1" * 32
    created = hub.create_device_with_x509("py-1", thumbprint, None, "enabled")
    again = refusal(lambda: hub.create_device_with_x509("py-1", thumbprint, None, "enabled"))
    updated = hub.update_device_with_x509("py-1", created.etag, thumbprint, None, "disabled")
    stale = refusal(
        lambda: hub.update_device_with_x509("py-1", created.etag, thumbprint, None, "enabled")
    )
    read = hub.get_device("py-1")
    hub.create_device_with_sas("py-2", "", "", "enabled")
    keys = hub.get_device("py-2").authentication.symmetric_key
    hub.delete_device("py-1", read.etag)
    return {
        "authentication": created.authentication.type,
        "thumbprints": created.authentication.x509_thumbprint.primary_thumbprint,
        "again": again,
        "statuses": [created.status, updated.status, read.status],
        "stale": stale,
        "keys": [len(keys.primary_key), len(keys.secondary_key)],
        "missing": refusal(lambda: hub.get_device("py-1")),
    }


def bulk(hub):
    many = [f"bulk-{number}" for number in range(5)]
    made = hub.bulk_create_or_update_devices(
        [ExportImportDevice(id=id, import_mode="create", status="enabled") for id in many]
    )
    for number, id in enumerate(many):
        hub.update_twin(id, Twin(tags={"site": "a" if number < 3 else "b"}))
    query = QuerySpecification(query="SELECT * FROM devices WHERE tags.site = 'a'")
    # Azure's queries come to know of a change a moment later.
    deadline = time.monotonic() + 60
    while len(hub.query_iot_hub(query, None, 9).items) < 3 and time.monotonic() < deadline:
        time.sleep(1)
    first = hub.query_iot_hub(query, None, 2)
    rest = hub.query_iot_hub(query, first.continuation_token, 2)
    gone = hub.bulk_create_or_update_devices(
        [ExportImportDevice(id=id, import_mode="delete") for id in many]
    )
    return {
        "made": made.is_successful,
        "pages": [[twin.device_id for twin in page.items] for page in (first, rest)],
        "last": rest.continuation_token,
        "gone": gone.is_successful,
        "left": [d.device_id for d in hub.get_devices() if d.device_id.startswith("bulk-")],
    }


def read_root(arguments):
    if arguments.get("server_ca") is None:
        return None
    with open(arguments["server_ca"], encoding="ascii") as file:
        return file.read()


def method_and_jobs(hub, jobs, arguments):
    server_ca = read_root(arguments)
    device = IoTHubDeviceClient.create_from_x509_certificate(
        x509=X509(cert_file=arguments["cert"], key_file=arguments["key"]),
        hostname=arguments["hub_host"],
        device_id=arguments["device_id"],
        server_verification_cert=server_ca,
    )
    device.on_method_request_received = lambda request: device.send_method_response(
        MethodResponse.create_from_method_request(request, 201, {"got": request.payload})
    )
    device.connect()
    call = CloudToDeviceMethod(method_name="reprovision", payload={"n": 1})
    answer = hub.invoke_device_method(arguments["device_id"], call)
    jobs.create_scheduled_job(
        "py-job",
        {
            "jobId": "py-job",
            "type": "scheduleDeviceMethod",
            "cloudToDeviceMethod": {"methodName": "reprovision", "payload": {"n": 2}},
            "queryCondition": f"deviceId = '{arguments['device_id']}'",
            "maxExecutionTimeInSeconds": 60,
        },
    )
    job = jobs.get_scheduled_job("py-job")
    while job.status not in ("completed", "failed", "cancelled"):
        time.sleep(0.1)
        job = jobs.get_scheduled_job("py-job")
    device.shutdown()
    offline = refusal(lambda: hub.invoke_device_method(arguments["device_id"], call))
    return {
        "answer": [answer.status, answer.payload],
        "job": job.status,
        "offline": offline,
    }


def main(arguments):
    hub = IoTHubRegistryManager.from_connection_string(arguments["connection_string"])
    jobs = IoTHubJobManager.from_connection_string(arguments["connection_string"])
    return {
        "registry": registry(hub),
        "bulk": bulk(hub),
        "method": method_and_jobs(hub, jobs, arguments),
    }


print(json.dumps(main(json.loads(sys.argv[1]))))
