# Rscript tests.R SERIES.CSV OUT_FILE   (R 4.2.2, tseries 0.10)
suppressMessages(library(tseries)); args <- commandArgs(TRUE); d <- read.csv(args[1], comment.char="#", stringsAsFactors=FALSE)
f <- function(v) formatC(v, digits=17, format="g")
cat("# R 4.2.2, tseries: Rscript tests/oracles/tests.R; tolerance 1e-8 relative\nseries,what,at,statistic,p\n", file=args[2])
put <- function(...) cat(paste(..., sep=","), sep="\n", file=args[2], append=TRUE)
for (name in unique(d$series)) { x <- as.numeric(d$y[d$series==name])
 for (g in 0:1) { y <- x; k <- ""; if (g) { y[c(3,10,11)] <- NA; k <- "_gaps" }
 put(name, paste0("acf",k), 1:12, f(acf(y, 12, plot=FALSE, na.action=na.pass)$acf[-1]), 0)
 put(name, paste0("pacf",k), 1:12, f(pacf(y, 12, plot=FALSE, na.action=na.pass)$acf), 0)
 b <- Box.test(y, 10, "Ljung", 2); put(name, paste0("ljung",k), 10, f(b$statistic), f(b$p.value))
 b <- Box.test(y, 10, "Box-Pierce", 2); put(name, paste0("pierce",k), 10, f(b$statistic), f(b$p.value))
 s <- shapiro.test(y); put(name, paste0("shapiro",k), 0, f(s$statistic), f(s$p.value)) }
 for (n in c(3,5,8,11,12)) { s <- shapiro.test(x[1:n]); put(name, "shapiro_first", n, f(s$statistic), f(s$p.value)) }
 j <- jarque.bera.test(x); put(name, "jarque", 0, f(j$statistic), f(j$p.value)) }
