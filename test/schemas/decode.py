"""Decodes records in the Confluent wire format with an Avro library that is none of Meterloom's.

Reads one record a line, in hex; fetches each schema from the registry by the record's id; writes
one JSON object a line.
"""

import io
import json
import sys
import urllib.request

import fastavro

registry = sys.argv[1]
schemas = {}


def schema_of(number):
    if number not in schemas:
        with urllib.request.urlopen(f"{registry}/schemas/ids/{number}") as response:
            text = json.load(response)["schema"]
        schemas[number] = fastavro.parse_schema(json.loads(text))
    return schemas[number]


for line in sys.stdin:
    record = bytes.fromhex(line)
    assert record[0] == 0
    body = io.BytesIO(record[5:])
    decoded = fastavro.schemaless_reader(body, schema_of(int.from_bytes(record[1:5], "big")))
    assert body.read() == b"", "bytes behind the record"
    # Times come as datetimes; microseconds are what the log has.
    print(json.dumps(decoded, default=lambda at: round(at.timestamp() * 1_000_000)))
