{{ config(enabled=gorgias.is_loaded('satisfaction_surveys')) }}
select
  {{ gorgias.integer('id') }} as survey_id,
  {{ gorgias.integer('ticket_id') }} as ticket_id,
  {{ gorgias.integer('customer_id') }} as customer_id,
  cast(score as {{ gorgias.type_double() }}) as score,
  body_text as comment_text,
  {{ gorgias.instant('created_datetime') }} as created_datetime,
  {{ gorgias.instant('should_send_datetime') }} as should_send_datetime,
  {{ gorgias.instant('sent_datetime') }} as sent_datetime,
  {{ gorgias.instant('scored_datetime') }} as scored_datetime
from {{ source('gorgias', 'satisfaction_surveys') }}
