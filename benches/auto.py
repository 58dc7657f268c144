"""`auto` on the sets that its targets are set on: accuracy, intervals, CPU.

    TRADEWIND_DATA=FOLDER python benches/auto.py PEERS [ROW ...]

PEERS holds `metrics.py`, as for benches/classical.py, whose functions this uses. Prints a Markdown table.
"""
import sys
import tempfile

from classical import ours

ROWS = [
    ("m3_monthly500", "auto"),
    ("m5_monthly500", "auto"),
    ("m5_monthly500", "auto(counts=false)"),
    ("walmart_dept300", "auto"),
    ("m4_weekly", "auto(seasons=[52], horizon=13)"),
    ("m4_hourly", "auto(seasons=[24, 168], horizon=48)"),
    ("m3_yearly", "auto"),
    ("m3_quarterly", "auto"),
    ("m3_monthly", "auto"),
    ("m3_other", "auto"),
]


def main():
    rows = [ROWS[int(row)] for row in sys.argv[2:]] or ROWS
    print("| data | model | sMAPE | MASE | OWA | WAPE | pinball | inside 0.8 | inside 0.95 | ms CPU | failures |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, model in rows:
            cpu, failures, scores = ours(name, model, 0, folder)
            shown = " | ".join(f"{scores[m]:.4f}" for m in ("sMAPE", "MASE", "OWA", "WAPE", "pinball", "coverage80", "coverage95"))
            print(f"| {name} | {model} | {shown} | {cpu:.1f} | {failures} |", flush=True)


if __name__ == "__main__":
    main()
