import memlane

with memlane.Subscriber("examples/hello") as greetings:
    for sample in greetings.samples(until_idle=True):
        print(bytes(sample).decode(), flush=True)
