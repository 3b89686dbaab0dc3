"""The embedded stack: a private RabbitMQ, a private mongod and every Shilian process, under one directory."""
