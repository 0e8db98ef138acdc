{{ config(enabled=gorgias.is_loaded('tags')) }}
select
  {{ gorgias.integer('id') }} as tag_id,
  name,
  description,
  {{ gorgias.value('decoration', 'color') }} as color,
  {{ gorgias.instant('created_datetime') }} as created_datetime,
  {{ gorgias.instant('deleted_datetime') }} as deleted_datetime
from {{ source('gorgias', 'tags') }}
