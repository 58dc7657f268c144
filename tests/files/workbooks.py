"""Makes the workbooks that tests/all/reading.rs reads. Made by openpyxl 3.1.5:

    python3 -m venv v && v/bin/pip install openpyxl==3.1.5 && v/bin/python tests/files/workbooks.py tests/files
"""
import datetime as dt
import sys

import openpyxl

folder = sys.argv[1]
START = dt.date(2024, 1, 1)


def book(name, sheets, merges=()):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for region in merges:
            sheet.merge_cells(region)
        if title.startswith("hidden"):
            sheet.sheet_state = "hidden"
    made.save(f"{folder}/{name}.xlsx")


def days(month, columns=("Shop", "Day", "Sold"), shop="A", base=0):
    first = dt.date(2024, month, 1)
    cells = {"Shop": lambda d: shop, "Day": lambda d: d, "Sold": lambda d: base + d.day, "Note": lambda d: "n"}
    return [list(columns)] + [[cells[c](first + dt.timedelta(i)) for c in columns] for i in range(7)]


# A tab per month: another header row, another order of columns and one more column are the same table all the same; a
# cover, a month without rows, and a hidden copy are not read.
book("months", [
    ("Cover", [["Sales of 2024"], ["by the day"]]),
    ("Jan", days(1)),
    ("Feb", [["February"], []] + days(2)),
    ("Mar", days(3, ("Day", "Note", "Sold", "Shop"))),
    ("Apr", [["Shop", "Day", "Sold"]]),
    ("hidden copy", days(1)),
])
# A tab per shop without the shop in its rows: each repeats the days of the others.
book("tabs", [("North", days(1, ("Day", "Sold"))), ("South", days(1, ("Day", "Sold"), base=100))])
# Keys in merged cells; the target's merged cells are not spread.
blocks = [["Region", "Store", "Month", "Revenue"]]
for region, store in (("North", "N1"), ("North", "N2"), ("South", "S1")):
    for m in range(4):
        blocks.append([region if store != "N2" and m == 0 else None, store if m == 0 else None, dt.date(2024, m + 1, 1), 10 * m + len(blocks)])
book("merged", [("Data", blocks)], ["A2:A9", "A10:A13", "B2:B5", "B6:B9", "B10:B13"])
# The same, not merged but empty.
book("blank", [("Data", blocks)])
# Numbers with three decimals, held as numbers: nothing to ask about, whatever the decimal mark of texts is.
book("decimals", [("Data", [["Shop", "Day", "Sold", "Weight"]] + [["A", START + dt.timedelta(i), 1.234 + i, f"{i},5"] for i in range(9)])])
