"""What stands where: amounts, and accounts of goods kept from events."""
