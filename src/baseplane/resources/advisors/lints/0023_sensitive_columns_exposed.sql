-- A table in the API without row security, with a column whose name promises a secret or personal data.
select r.schema, r.name, (array_agg(a.attname order by a.attname))[1:11] as columns
from relations as r
join pg_attribute as a on a.attrelid = r.oid
where r.kind in ('r', 'p') and r.own and r.exposed and not r.rls and r.readers <> '{}'
  and a.attnum > 0 and not a.attisdropped
  and replace(lower(a.attname), '-', '_') = any (array[
    'password', 'passwd', 'pwd', 'passphrase', 'pin', 'secret', 'secret_key', 'private_key', 'api_key', 'apikey',
    'token', 'jwt', 'access_token', 'refresh_token', 'session_token', 'bearer_token', 'oauth_token', 'session_id',
    'otp', 'totp_secret', 'recovery_code', 'backup_code', 'verification_code', 'ssh_key', 'pgp_key', 'license_key',
    'ssn', 'social_security_number', 'national_id', 'tax_id', 'passport_number', 'driver_license', 'drivers_license',
    'date_of_birth', 'credit_card', 'card_number', 'cvv', 'cvc', 'iban', 'bank_account', 'account_number',
    'routing_number', 'patient_id', 'health_record', 'medical_record', 'insurance_number', 'mac_address', 'imei'
  ])
group by r.schema, r.name
