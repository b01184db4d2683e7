#!/usr/bin/env python3
"""A bot that answers every message exactly once, also if it or septet is killed at any moment: bot.py septet --profile bot

A message is told again until it is acknowledged, and what is sent under the same key is sent once.
"""
import json
import subprocess
import sys

septet = subprocess.Popen([*sys.argv[1:], "rpc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
asked = {}  # Requests that are not answered yet.


def ask(name, method, **params):
    asked[name] = params
    septet.stdin.write(json.dumps({"jsonrpc": "2.0", "id": name, "method": method, "params": params}) + "\n")
    septet.stdin.flush()


ask("subscribe", "subscribe", durable="bot", after=0, kinds=["message"])
for line in septet.stdout:
    told = json.loads(line)
    if told.get("method") == "event":
        event = told["params"]
        if event["event"] == "message" and event["sync"]:  # We wrote it, on another device.
            ask(f"ack {event['message_id']}", "ack", durable="bot", message_id=event["message_id"])
        elif event["event"] == "message":
            key, text = f"answer {event['message_id']}", f"You wrote: {event['text']}"[:2000]
            ask(key, "send", to=event["conversation"], text=text, idempotency_key=key)
        continue
    name, params, error = told["id"], asked.pop(told["id"]), told.get("error")
    if error and error["data"]["code"] in ("offline", "timed_out"):
        ask(name, "send", **params)  # It is sent once all the same.
        continue
    if error:
        print(f"{name}: {error['message']}", file=sys.stderr)
    if name.startswith("answer "):
        ask(f"ack {name[7:]}", "ack", durable="bot", message_id=int(name[7:]))
