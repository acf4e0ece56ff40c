"""Writes one record in every encoding of the input, as its reference implementation does.

    pip install -r requirements.txt
    python make.py
"""

import io
import json
import tempfile
from pathlib import Path

import fastavro
import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

SERIES, TIME, VALUES = "pump-7", 1790000000123.5, [0.25, -1.5]


def avro(schema: str, record: dict) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(json.loads(Path(schema).read_text())), record)
    return buffer.getvalue()


def protobuf() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder) / "set"
        assert protoc.main(["protoc", "-I.", f"--descriptor_set_out={descriptors}", "point.proto"]) == 0
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(files.file[0])
    point = message_factory.GetMessageClass(pool.FindMessageTypeByName("telemetry.Point"))
    return point(series=SERIES, time=TIME, values=VALUES, tags={"a": 1}).SerializeToString(deterministic=True)


def arrow() -> bytes:
    """Three rows in two batches; the last has neither series nor time."""
    micros = round(TIME * 1000)
    schema = pa.schema([
        ("note", pa.string()),
        ("series", pa.dictionary(pa.int8(), pa.string())),
        ("time", pa.timestamp("us", tz="UTC")),
        ("values", pa.list_(pa.float32(), 2)),
    ])
    rows = [("", SERIES, micros, VALUES), ("x", "pump-8", micros + 1000, [0.5, 3.0]), (None, None, None, [1.0, 2.0])]
    table = pa.Table.from_arrays(
        [pa.array([row[i] for row in rows], type=field.type) for i, field in enumerate(schema)], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


point = {"unit": "bar", "series": SERIES, "tags": {"a": [1, -2]}, "time": TIME, "values": VALUES}
event = {
    "device": {"serial": b"1234", "name": SERIES},
    "parent": None,
    "at": round(TIME * 1000),
    "reading": {"x": VALUES[0], "quality": True, "y": VALUES[1]},
}
nested = dict(event, parent=dict(event, parent=event))

Path("point.json").write_text(json.dumps({"series": SERIES, "time": TIME, "values": VALUES, "more": True}))
Path("point.avro").write_bytes(avro("point.avsc", point))
Path("nested.avro").write_bytes(avro("nested.avsc", nested))
Path("point.pb").write_bytes(protobuf())
Path("points.arrows").write_bytes(arrow())
