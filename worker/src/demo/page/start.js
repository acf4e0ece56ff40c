if (REPORT) report(REPORT); else live();
