"""The monthly bulletin (通报): composed, frozen, shown, rendered (ADR 11)."""
