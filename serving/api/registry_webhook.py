"""`POST /api/v1/registry/webhook`: MLflow says that its registry has changed."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request, status
from pydantic import BaseModel

from agent.errors import ContentTooLarge
from serving.api.rate_limit import limited
from serving.api.services import Services, services
from serving.registry_webhook import (
    MAX_BODY_BYTES,
    DeliveryRefused,
    NoRegistryWebhook,
    announced,
    concerns_the_agent,
    must_be_signed,
)
from serving.seldom import Seldom

SENDER = "MLflow's webhook"  # is counted as one user

logger = logging.getLogger(__name__)
_told_of_refusals = Seldom(60.0)

router = APIRouter(prefix="/api/v1/registry", tags=["registry"])


class DeliveryOut(BaseModel):
    told: bool  # workers look at the registry; false: it is of another model, or was told before


@router.post("/webhook", status_code=status.HTTP_202_ACCEPTED)
async def take_delivery(request: Request, use: Annotated[Services, Depends(services)]) -> DeliveryOut:
    """Takes a delivery that MLflow has signed, and has all workers look at the registry at once.

    It is a hint: what they serve is what the signed records there say.
    """
    secrets = use.settings.registry_webhook_secrets
    if not secrets:
        raise NoRegistryWebhook("this service takes no webhooks of MLflow's: set COPYDESK_REGISTRY_WEBHOOK_SECRET")
    try:
        delivery = announced(request.headers, use.clock())
        body = await _body(request)
        must_be_signed(delivery, body, secrets)
    except DeliveryRefused as error:
        if _told_of_refusals.due():  # MLflow reads no answer, so nobody else would say it
            logger.warning("a delivery of MLflow's webhook was refused: %s", error)
        raise
    if not concerns_the_agent(body):  # MLflow tells of all models: those of others use nothing up
        return DeliveryOut(told=False)
    await limited(use, SENDER, request)
    return DeliveryOut(told=await use.hints.give(delivery.id, use.clock()))


async def _body(request: Request) -> bytes:
    """Raises ContentTooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise ContentTooLarge(f"the delivery has more than {MAX_BODY_BYTES:,} bytes, and none of MLflow's is")
    return bytes(body)
