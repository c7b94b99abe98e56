"""The formats that are read, and how."""

from evaluation.importers.brat import read_brat
from evaluation.importers.doccano import read_doccano
from evaluation.importers.export import ExportFormat, Format, OffsetUnit
from evaluation.importers.label_studio import read_label_studio
from evaluation.importers.prodigy import read_prodigy
from evaluation.importers.ptc import read_ptc
from evaluation.importers.table import read_table

FORMATS = {
    ExportFormat.PTC: Format(read_ptc, texts_apart=True),
    ExportFormat.BRAT: Format(read_brat, texts_apart=True),
    ExportFormat.DOCCANO: Format(read_doccano),
    ExportFormat.LABEL_STUDIO: Format(read_label_studio, OffsetUnit.UTF16),
    ExportFormat.PRODIGY: Format(read_prodigy),
    ExportFormat.CSV: Format(read_table),
}
