# Differences that 200 M3 series need: ndiffs (KPSS), nsdiffs and the strength of the season.
# Rscript tests/oracles/ndiffs_m3.R FOLDER > tests/oracles/ndiffs_m3.csv   (R 4.2.2, forecast 8.20)
# FOLDER: m3_yearly.csv, m3_other.csv, m3_quarterly.csv, m3_monthly.csv, one series a line: id;y1,y2,...;test. All agree.
suppressMessages(library(forecast))
pick <- function(file, every, count, m) { l <- readLines(file); l <- l[seq(1, length(l), by=every)]; l <- head(l, count)
 for (s in l) { p <- strsplit(s, ";")[[1]]; x <- ts(as.numeric(strsplit(p[2], ",")[[1]]), frequency=m)
  cat(p[1], m, ndiffs(x), if (m>1) nsdiffs(x) else 0, formatC(if(m>1) forecast:::seas.heuristic(x) else 0, digits=12), sep=","); cat("\n") } }
d <- paste0(commandArgs(TRUE)[1], "/")
pick(paste0(d,"m3_monthly.csv"),7,80,12); pick(paste0(d,"m3_quarterly.csv"),9,60,4); pick(paste0(d,"m3_yearly.csv"),13,40,1); pick(paste0(d,"m3_other.csv"),8,20,1)
