// Retail years and months by npm retail-calendar 4.1.2, for retail.py.
const { WeekCalculation, WeekGrouping, LastDayOfWeek, LastMonthOfYear, RetailCalendarFactory } = require('retail-calendar')
const day = (d) => new Date(d).toISOString().slice(0, 10)
const kinds = [
  ['4-5-4 nearest Sat Jan', WeekCalculation.LastDayNearestEOM, WeekGrouping.Group454, LastDayOfWeek.Saturday, LastMonthOfYear.January],
  ['4-4-5 nearest Sun Dec', WeekCalculation.LastDayNearestEOM, WeekGrouping.Group445, LastDayOfWeek.Sunday, LastMonthOfYear.December],
  ['5-4-4 last Fri Jun', WeekCalculation.LastDayBeforeEOM, WeekGrouping.Group544, LastDayOfWeek.Friday, LastMonthOfYear.June],
]
for (const [name, weekCalculation, weekGrouping, lastDayOfWeek, lastMonthOfYear] of kinds)
  for (let y = 2000; y <= 2030; y++) {
    const c = new RetailCalendarFactory({ weekCalculation, weekGrouping, lastDayOfWeek, lastMonthOfYear }, y)
    console.log([name, y, c.numberOfWeeks, day(c.firstDayOfYear), day(c.lastDayOfYear), c.months.map((m) => day(m.gregorianStartDate)).join(' ')].join(','))
  }
