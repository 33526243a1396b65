-- Entries are new, or are known from their payment and now belong to a payout. What they are never changes.
INSERT INTO payout_entries (id, provider, payout_id, reference, kind, gross_minor, fee_minor, currency, source, told_session, told_refund, at)
SELECT e.id, $1, $2, e.reference, e.kind, e.gross_minor, e.fee_minor, e.currency, e.source, e.told_session, e.told_refund, e.at
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::timestamptz[])
    AS e (id, reference, kind, gross_minor, fee_minor, currency, source, told_session, told_refund, at)
ORDER BY e.reference
ON CONFLICT (provider, reference) DO UPDATE SET
    payout_id = coalesce(payout_entries.payout_id, excluded.payout_id),
    source = coalesce(payout_entries.source, excluded.source),
    told_session = coalesce(payout_entries.told_session, excluded.told_session),
    told_refund = coalesce(payout_entries.told_refund, excluded.told_refund)
