select
  {{ gorgias.integer('id') }} as user_id,
  external_id,
  name,
  firstname,
  lastname,
  email,
  {{ gorgias.value('role', 'name') }} as role,
  active as is_active,
  client_id,
  country,
  language,
  timezone,
  {{ gorgias.instant('created_datetime') }} as created_datetime,
  {{ gorgias.instant('updated_datetime') }} as updated_datetime,
  {{ gorgias.instant('deactivated_datetime') }} as deactivated_datetime
from {{ source('gorgias', 'users') }}
