-- $1 what was answered, $2 now. What failed does not take the place of an answer that still holds.
WITH heard AS (
    SELECT * FROM jsonb_to_recordset($1) AS h (calculator uuid, question text, services jsonb, error text, good_until timestamptz)
), noted AS (
    UPDATE shipping_calculators calculator
       SET last_error = heard.error
      FROM heard
     WHERE calculator.id = heard.calculator
       AND calculator.last_error IS DISTINCT FROM heard.error
)
INSERT INTO shipping_quotes (calculator_id, question, services, good_until)
SELECT calculator.id, decode(heard.question, 'hex'), heard.services, heard.good_until
  FROM heard
  JOIN shipping_calculators calculator ON calculator.id = heard.calculator
 ORDER BY calculator.id, heard.question
ON CONFLICT (calculator_id, question) DO UPDATE
   SET services = excluded.services, good_until = excluded.good_until
 WHERE excluded.services IS NOT NULL OR shipping_quotes.services IS NULL OR shipping_quotes.good_until <= $2
