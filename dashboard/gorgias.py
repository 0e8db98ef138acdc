"""A dashboard of the models: `marimo run dashboard/gorgias.py`.

Reads the DuckDB file that GORGIAS_DUCKDB names, by default helpdesk.duckdb.
"""

import marimo

app = marimo.App(width="medium", app_title="Gorgias")


@app.cell
def _():
    import os

    import altair as alt
    import duckdb
    import marimo as mo

    path = os.environ.get("GORGIAS_DUCKDB", "helpdesk.duckdb")
    database = duckdb.connect(path, read_only=True)
    _ = database.execute("SET search_path = 'gorgias_models'")
    return alt, database, mo


@app.cell
def _(database, mo):
    [(last,)] = database.execute("SELECT max(date_day) FROM gorgias_backlog").fetchall()
    weeks = mo.ui.slider(2, 52, value=13, label="Weeks", show_value=True)
    mo.vstack([mo.md("# Helpdesk"), mo.md(f"Until {last}."), weeks])
    return last, weeks


@app.cell
def _(database, last, mo, weeks):
    since = f"DATE '{last}' - {7 * weeks.value}"
    [figures] = database.execute(
        f"""
        SELECT count(*),
          median(first_response_seconds) / 3600,
          median(resolution_seconds) / 3600,
          avg(satisfaction_score),
          (SELECT open_tickets FROM gorgias_backlog ORDER BY date_day DESC LIMIT 1)
        FROM gorgias_tickets WHERE created_date > {since}
        """
    ).fetchall()
    labels = (
        "tickets",
        "hours to first response",
        "hours to resolution",
        "CSAT",
        "open",
    )
    texts = [
        "-" if value is None else f"{value:,.1f}".removesuffix(".0")
        for value in figures
    ]
    mo.hstack(
        [
            mo.stat(text, label=label, bordered=True)
            for label, text in zip(labels, texts)
        ],
        widths="equal",
    )
    return (since,)


@app.cell
def _(alt, database, since):
    tickets = database.execute(
        f"""
        SELECT date_trunc('week', date_day) AS week, channel,
          sum(tickets_created) AS tickets
        FROM gorgias_channel_days
        WHERE date_day > {since} GROUP BY ALL HAVING tickets > 0 ORDER BY ALL
        """
    ).df()
    (
        alt.Chart(tickets, title="Tickets created, by week and channel")
        .mark_bar()
        .encode(
            x=alt.X("yearmonthdate(week):O", title=None),
            y=alt.Y("tickets:Q", title=None),
            color=alt.Color("channel:N", title=None, legend=alt.Legend(orient="bottom")),
            tooltip=["week:T", "channel:N", "tickets:Q"],
        )
        .properties(width=660, height=220)
    )
    return


@app.cell
def _(alt, database, since):
    agents = database.execute(
        f"""
        SELECT coalesce(users.name, 'Id ' || first_response_agent_id) AS agent,
          median(first_response_seconds) / 3600 AS hours, count(*) AS tickets
        FROM gorgias_tickets
        LEFT JOIN stg_gorgias__users AS users ON users.user_id = first_response_agent_id
        WHERE first_response_seconds IS NOT NULL AND created_date > {since}
        GROUP BY ALL ORDER BY tickets DESC LIMIT 15
        """
    ).df()
    (
        alt.Chart(agents, title="First response by agent: median in hours")
        .mark_bar()
        .encode(
            x=alt.X("hours:Q", title=None),
            y=alt.Y("agent:N", sort="x", title=None),
            tooltip=["agent:N", "hours:Q", "tickets:Q"],
        )
        .properties(width=580, height=260)
    )
    return


@app.cell
def _(alt, database):
    satisfaction = database.execute(
        """
        SELECT date_trunc('month', date_day) AS month,
          sum(average_score * surveys_scored) / sum(surveys_scored) AS score,
          sum(surveys_scored) AS answers
        FROM gorgias_channel_days WHERE surveys_scored > 0 GROUP BY ALL ORDER BY ALL
        """
    ).df()
    (
        alt.Chart(satisfaction, title="CSAT by month: mean score")
        .mark_line(point=True)
        .encode(
            x=alt.X("yearmonth(month):O", title=None),
            y=alt.Y("score:Q", title=None, scale=alt.Scale(domain=[1, 5])),
            tooltip=["month:T", "score:Q", "answers:Q"],
        )
        .properties(width=660, height=200)
    )
    return


@app.cell
def _(alt, database, since):
    backlog = database.execute(
        f"SELECT date_day, open_tickets FROM gorgias_backlog WHERE date_day > {since}"
    ).df()
    (
        alt.Chart(backlog, title="Open tickets at the end of the day")
        .mark_area(opacity=0.5, line=True)
        .encode(
            x=alt.X("date_day:T", title=None),
            y=alt.Y("open_tickets:Q", title=None),
            tooltip=["date_day:T", "open_tickets:Q"],
        )
        .properties(width=660, height=200)
    )
    return


if __name__ == "__main__":
    app.run()
