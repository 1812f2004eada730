# SPDX-License-Identifier: GPL-2.0
#
# awk -f unlisted.awk LIST.tsv HEADER: prints the names that the header defines
# and the list does not know. Ours belong into linux/iommufd_ext.h.

FNR == NR {
	split($0, field, "\t")
	if (field[1] ~ /^enum /)
		known[substr(field[1], 6)] = 1
	if (field[1] !~ /^ /)
		known[field[2]] = 1
	next
}

# the header is kernel style: comments are /* ... */ and begin a line
/^[ \t]*\/\*/ { comment = 1 }
comment {
	if (/\*\//)
		comment = 0
	next
}

{
	name = ""
	if ($1 == "#define" && NF > 2)
		name = $2
	else if (($1 == "struct" || $1 == "enum") && $3 == "{")
		name = $2
	else if ($1 ~ /^IOMMU[A-Z0-9_]*$/ && $2 == "=")
		name = $1
	sub(/\(.*/, "", name)
	if (name != "" && !(name in known)) {
		print name
		found = 1
	}
}

END { exit found }
