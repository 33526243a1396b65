-- $1 and $2 the prefixes of invoices and of credit notes. What stands behind a prefix in a name and is a number that is still to be given, will be
-- given. A name has at most 40 letters; a number of 19 digits is not reached.
SELECT EXISTS (
           SELECT 1 FROM invoices i
           WHERE starts_with(i.name, $1)
             AND CASE WHEN substr(i.name, length($1) + 1) ~ '^[1-9][0-9]{0,17}$'
                      THEN substr(i.name, length($1) + 1)::bigint >= s.next_invoice_number ELSE false END) AS of_invoices,
       EXISTS (
           SELECT 1 FROM invoices i
           WHERE starts_with(i.name, $2)
             AND CASE WHEN substr(i.name, length($2) + 1) ~ '^[1-9][0-9]{0,17}$'
                      THEN substr(i.name, length($2) + 1)::bigint >= s.next_credit_note_number ELSE false END) AS of_credit_notes
FROM invoice_settings s
