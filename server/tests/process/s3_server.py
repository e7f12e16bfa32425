"""A server that speaks as Amazon S3 does, with a bucket, until its input ends."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
boto3.client(
    "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
).create_bucket(Bucket="ibague")
print(url, flush=True)
sys.stdin.read()
server.stop()
