"""What a check goes through, random draws, samples, the duty ledger."""
