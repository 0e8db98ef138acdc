{{ config(enabled=gorgias.is_loaded('teams')) }}
select
  {{ gorgias.integer('id') }} as team_id,
  name,
  description,
  {{ gorgias.instant('created_datetime') }} as created_datetime
from {{ source('gorgias', 'teams') }}
