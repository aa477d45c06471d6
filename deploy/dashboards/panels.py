"""What panels there are, and how they look. Refuses to know what is asked.

A panel is a title, a sentence on how to read it, a unit and queries, each with a legend.
"""


def panel(kind, title, description, unit, *targets, width=12, height=8, defaults=None, **options):
    """A target is a query and a legend."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "targets": targets,
        "size": (width, height),
        "fieldConfig": {"defaults": {"unit": unit, **(defaults or {})}, "overrides": []},
        "options": options,
    }


def lines(title, description, unit, *targets, stacked=False, smallest_first=False, **sizes):
    """The legend begins with what the panel is about: the largest values, or the smallest."""
    custom = {"fillOpacity": 40 if stacked else 0, "lineWidth": 1, "showPoints": "never"}
    custom["stacking"] = {"mode": "normal" if stacked else "none", "group": "A"}
    legend = {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True}
    legend |= {"sortBy": "Last *", "sortDesc": not smallest_first}
    tooltip = {"mode": "multi", "sort": "desc"}
    defaults = {"custom": custom, "min": 0}
    return panel(
        "timeseries", title, description, unit, *targets, defaults=defaults, legend=legend, tooltip=tooltip, **sizes
    )


def number(title, description, unit, query, red=None):
    steps = [{"color": "green", "value": None}] + ([] if red is None else [{"color": "red", "value": red}])
    return panel(
        "stat",
        title,
        description,
        unit,
        (query, ""),
        width=3,
        height=4,
        defaults={"thresholds": {"mode": "absolute", "steps": steps}},
        reduceOptions={"calcs": ["lastNotNull"], "fields": "", "values": False},
        graphMode="area",
        colorMode="none" if red is None else "value",
    )


def table(title, description, unit, query, **sizes):
    made = panel("table", title, description, unit, (query, ""), showHeader=True, **sizes)
    made["is_table"] = True
    hidden = {"Time": True, "job": True, "__name__": True}
    made["transformations"] = [
        {"id": "organize", "options": {"excludeByName": hidden, "renameByName": {"Value": title}}}
    ]
    return made


def heatmap(title, description, unit, query, **sizes):
    made = panel(
        "heatmap", title, description, unit, (query, "{{le}}"), calculate=False, yAxis={"unit": unit}, **sizes
    )
    made["is_heatmap"] = True
    return made


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "size": (24, 1)}
