"""A real S3 server program (moto's) as a process of its own, and what a test asks it from outside."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from integrations.blobs import S3Place
from tests.support.hub_process import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "access-of-a-test", "AWS_SECRET_ACCESS_KEY": "secret-of-a-test"}
BUCKET = "models"


class ObjectStorage:
    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (directory / "moto.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=self.log,
            stderr=self.log,
        )
        for _ in range(600):
            try:
                httpx.get(f"{self.url}/moto-api/", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        self.client.create_bucket(Bucket=BUCKET)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.log.close()

    @property
    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def place(self, prefix: str = "") -> S3Place:
        return S3Place(BUCKET, prefix, self.url, "us-east-1")

    def keys(self, prefix: str = "") -> list[str]:
        return [
            item["Key"]
            for item in self.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        ]
