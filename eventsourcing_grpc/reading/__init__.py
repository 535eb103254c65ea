"""What has been recorded, for people to read: events and aggregates, decoded."""
