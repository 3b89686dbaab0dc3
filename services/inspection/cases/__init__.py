"""Cases: settled must by must and gate by gate; penalties, interviews and accountability."""
