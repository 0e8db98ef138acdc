{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__day_versions'), 'date_day') }}"),
) }}
with figure as (
  select
    figure, ticket_id, date_day, number, business_number, day_version,
    coalesce(channel, 'unknown') as channel
  from {{ gorgias.figures_of_missing_days() }} as figures
),

{{ gorgias.day_figures('figure', ['date_day', 'channel']) }}

select * from day_figures
