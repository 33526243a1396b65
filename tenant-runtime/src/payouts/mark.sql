UPDATE payout_entries e
SET booked = m.booked, order_id = m.order_id, payment_id = m.payment_id, refund_id = m.refund_id, dispute_id = m.dispute_id
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[])
    AS m (id, booked, order_id, payment_id, refund_id, dispute_id)
WHERE e.id = m.id
