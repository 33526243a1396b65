INSERT INTO email_templates (name, locale, subject, body_text, body_html)
SELECT t.name, t.locale, t.subject, t.body_text, t.body_html
FROM jsonb_to_recordset($1 -> 'email_templates') AS t (
    name text, locale text, subject text, body_text text, body_html text)
