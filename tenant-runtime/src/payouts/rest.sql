-- A payout rests once it adds up and all of it is known, or when a month has not been enough.
UPDATE payouts p SET next_poll_at = CASE
        WHEN s.net_minor = p.amount_minor AND s.unmatched = 0 OR p.created_at < $2 - interval '30 days' THEN NULL
        ELSE $2 + interval '6 hours' END
FROM (SELECT coalesce(sum(gross_minor - fee_minor), 0) AS net_minor, count(*) FILTER (WHERE booked <> 'allocated') AS unmatched
      FROM payout_entries WHERE payout_id = $1) s
WHERE p.id = $1
