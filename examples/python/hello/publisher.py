import memlane

with memlane.Publisher("examples/hello") as greetings:
    greetings.wait_for_subscribers(1)
    for text in ("Hello", "from", "Python"):
        greetings.send(text.encode())
