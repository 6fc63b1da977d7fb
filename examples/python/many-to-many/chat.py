"""`chat.py NAME COUNT`: one of COUNT people on one lane. Each says three things, and hears what everybody says."""

import sys

import memlane

name, people = sys.argv[1], int(sys.argv[2])

with memlane.Subscriber("examples/chat") as ear, memlane.Publisher("examples/chat", label=name) as mouth:
    mouth.wait_for_subscribers(people)
    ear.wait_for_publishers(people)

    for text in ("Good morning.", "How are you?", "Goodbye."):
        mouth.send(text.encode())
    for _ in range(people * 3):
        sample = ear.take(timeout=None)
        if sample is None:
            break  # somebody stopped the port
        print(f"{sample.sender.label}: {bytes(sample).decode()}", flush=True)
