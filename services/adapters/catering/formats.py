"""What the catering app sends: type → model and mapping."""

from typing import Final

from contracts import catering
from services.adapters.adapt import Format
from services.adapters.catering import mapping

FORMATS: Final = {
    "catering.unit_sync.v1": Format(catering.UnitSyncV1, mapping.unit),
    "catering.purchase_inspection.v1": Format(catering.PurchaseInspectionV1, mapping.purchase),
    "catering.kitchen_use.v1": Format(catering.KitchenUseV1, mapping.kitchen_use),
    "catering.retained_sample.v1": Format(catering.RetainedSampleV1, mapping.retained_sample),
    "catering.meal_distribution.v1": Format(catering.MealDistributionV1, mapping.distribution),
}
