"""`shilian`: the platform from a command line, over gRPC and the bus, like any other client."""
