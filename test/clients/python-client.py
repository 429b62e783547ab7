"""The official Python client, as one run: connects, lists, calls, and prints what came back as one line of JSON.

Arguments: the gateway's address, the mode (auto, legacy or a revision), and how it proves itself: `bearer`, with the
token in SALLYPORT_TOKEN, or `oauth`, which prints where the person is to sign in and reads where they came back to.
"""

import asyncio
import json
import os
import sys
from urllib.parse import parse_qs, urlparse

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

REDIRECT = "http://127.0.0.1:1/back"


class InMemory:
    """What the SDK asks its host to keep."""

    def __init__(self):
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


async def send_away(url):
    print(json.dumps({"signIn": url}), flush=True)


async def come_back():
    line = await asyncio.to_thread(sys.stdin.readline)
    query = parse_qs(urlparse(line.strip()).query)
    one = lambda name: query.get(name, [None])[0]
    return AuthorizationCodeResult(code=one("code"), state=one("state"), iss=one("iss"))


def proof(kind, url, storage):
    if kind == "bearer":
        return {"headers": {"Authorization": f"Bearer {os.environ['SALLYPORT_TOKEN']}"}}
    metadata = OAuthClientMetadata(
        client_name="python",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
        application_type="native",
    )
    return {"auth": OAuthClientProvider(url, metadata, storage, send_away, come_back)}


async def main():
    url, mode, kind = sys.argv[1:4]
    storage = InMemory()
    async with httpx2.AsyncClient(trust_env=False, timeout=60, **proof(kind, url, storage)) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            tools = await client.list_tools()
            answer = await client.call_tool("objects_list", {"kind": "deployments", "namespace": "shop-dev"})
            print(
                json.dumps(
                    {
                        "tools": sorted(tool.name for tool in tools.tools),
                        "text": answer.content[0].text,
                        "client": None if storage.client is None else storage.client.client_id,
                    }
                ),
                flush=True,
            )


asyncio.run(main())
