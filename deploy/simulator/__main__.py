"""`python -m deploy.simulator`: the notice providers on this machine, for local use only."""

import uvicorn

from deploy.simulator.app import app
from deploy.simulator.settings import SimulatorSettings

settings = SimulatorSettings()
# Idle connections are kept as long as real providers keep them: one closed while it is used again is a lost answer.
uvicorn.run(
    app(settings), host=settings.host, port=settings.port, access_log=False, log_level="warning", timeout_keep_alive=75
)
