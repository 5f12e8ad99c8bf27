"""What a takeover costs on PostgreSQL: backfill beside a plain COPY, capture, verification, pauses."""
