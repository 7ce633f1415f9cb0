"""The commands of the group ``queue``: on the sandbox's queue, and on queues laid out for the test in a Redis of its own."""
