{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__day_versions'), 'date_day') }}"),
) }}
with figure as (
  select
    figures.figure, figures.ticket_id, figures.date_day, figures.number, figures.business_number,
    figures.day_version, tag.tag_id, tag.tag_name
  from {{ gorgias.figures_of_missing_days() }} as figures
  inner join {{ ref('stg_gorgias__ticket_tags') }} as tag on tag.ticket_id = figures.ticket_id
),

{{ gorgias.day_figures('figure', ['date_day', 'tag_id']) }},

tag_name as (
  select date_day, tag_id, max(tag_name) as tag_name
  from figure
  group by date_day, tag_id
)

select
  day_figures.*,
  tag_name.tag_name
from day_figures
left join tag_name on tag_name.date_day = day_figures.date_day and tag_name.tag_id = day_figures.tag_id
