"""What becomes of each attribute: DICOM PS3.15 Table E.1-1, Basic Profile, and our allow list.

The codes are those of the table: X remove, Z empty or dummy, D dummy, U another UID. Where it lists
several ("X/Z/D"), the type of the attribute in the CT Image IOD (PS3.3 A.3) decides, and the first
that conforms is taken. An attribute outside that IOD is removed whatever the table says, which
removes more than it asks for.

An attribute that none of the small sets names is removed: private ones, curves (50xx), overlays
(60xx), every person's name and all free text among them.
"""

from __future__ import annotations


def _names(keywords: str) -> frozenset[str]:
    return frozenset(keywords.split())


# Acquisition, geometry, pixels and display of a CT image (PS3.3 C.7.6 and C.8.2.1). None of these
# is in Table E.1-1; a test holds that.
KEPT = _names(
    """
    SOPClassUID Modality ImageType SeriesNumber AcquisitionNumber InstanceNumber ImagesInAcquisition
    PatientPosition BodyPartExamined Laterality ImageLaterality AcquisitionType ScanOptions
    Manufacturer ManufacturerModelName ConvolutionKernel FilterType
    KVP XRayTubeCurrent XRayTubeCurrentInuA XRayTubeCurrentInmA Exposure ExposureInuAs ExposureInmAs
    ExposureTime ExposureTimeInuS ExposureTimeInms ExposureModulationType EstimatedDoseSaving
    CTDIvol GeneratorPower FocalSpots RotationDirection RevolutionTime SingleCollimationWidth
    TotalCollimationWidth TableHeight TableSpeed TableFeedPerRotation SpiralPitchFactor
    DataCollectionDiameter DataCollectionCenterPatient ReconstructionDiameter
    ReconstructionTargetCenterPatient DistanceSourceToDetector DistanceSourceToPatient
    GantryDetectorTilt WaterEquivalentDiameter SpatialResolution
    ImagePositionPatient ImageOrientationPatient SliceLocation PixelSpacing SliceThickness
    SpacingBetweenSlices PixelAspectRatio NumberOfFrames Rows Columns SamplesPerPixel
    PhotometricInterpretation BitsAllocated BitsStored HighBit PixelRepresentation
    SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue PixelPaddingRangeLimit
    RescaleSlope RescaleIntercept RescaleType WindowCenter WindowWidth VOILUTFunction
    PresentationLUTShape BurnedInAnnotation QualityControlImage LossyImageCompression
    LossyImageCompressionRatio LossyImageCompressionMethod ReferencedSOPClassUID
    """
)

# The only texts that stay: they name a machine's type, not its serial number, place or user.
KEPT_TEXTS = _names("Manufacturer ManufacturerModelName ConvolutionKernel FilterType RescaleType")

# Type 2 in the CT Image IOD: present and empty. PositionReferenceIndicator is not in the table; it
# is a text of type 2.
EMPTIED = _names(
    """
    AccessionNumber StudyID StudyDate StudyTime ReferringPhysicianName PatientBirthDate PatientSex
    PositionReferenceIndicator
    """
)

# Emptied where the file had them: what they belong to (contrast, a time order) is conditional.
EMPTIED_IF_PRESENT = _names("ContentDate ContentTime ContrastBolusAgent")

# Replaced by one code per patient, so that patients stay apart; empty stays empty.
PSEUDONYMS = _names("PatientName PatientID")

NEW_UIDS = _names(
    """
    SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID
    SynchronizationFrameOfReferenceUID IrradiationEventUID ReferencedSOPInstanceUID
    """
)

# "X/Z/U*": their items hold references, whose UIDs are replaced like all others.
KEPT_SEQUENCES = _names("ReferencedImageSequence SourceImageSequence")

# What an enhanced CT has besides (PS3.3 A.38, C.7.6.16 and C.8.15.3), at its top and in its
# functional groups.
ENHANCED_KEPT = _names(
    """
    PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique ContentQualification
    FrameType FrameLaterality FrameAcquisitionNumber FrameAcquisitionDuration AcquisitionDuration
    DimensionIndexValues InStackPositionNumber TemporalPositionIndex DimensionOrganizationType
    DimensionIndexPointer FunctionalGroupPointer
    RepresentativeFrameNumber TubeAngle ConstantVolumeFlag FluoroscopyFlag ReferencedPathIndex
    TablePosition DistanceSourceToDataCollectionCenter ReconstructionAlgorithm
    ConvolutionKernelGroup ReconstructionFieldOfView ReconstructionPixelSpacing
    ReconstructionAngle ReferencedFrameNumber
    """
)

ENHANCED_SEQUENCES = _names(
    """
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
    PixelMeasuresSequence PlanePositionSequence PlaneOrientationSequence FrameContentSequence
    PixelValueTransformationSequence FrameVOILUTSequence CTImageFrameTypeSequence
    FrameAnatomySequence IrradiationEventIdentificationSequence
    CTAcquisitionTypeSequence CTAcquisitionDetailsSequence CTTableDynamicsSequence
    CTPositionSequence CTGeometrySequence CTReconstructionSequence CTExposureSequence
    CTXRayDetailsSequence DimensionOrganizationSequence DimensionIndexSequence
    """
)

ENHANCED_UIDS = _names("DimensionOrganizationUID")

# Actions D of the table, and one text that it does not list: of type 1 or 1C in the Enhanced CT
# IOD, so that they may not be empty.
ENHANCED_DUMMIES = {
    "AcquisitionDateTime": "19000101000000",
    "FrameAcquisitionDateTime": "19000101000000",
    "FrameReferenceDateTime": "19000101000000",
    "ContentDate": "19000101",
    "ContentTime": "000000",
    "DeviceSerialNumber": "REMOVED",
    "SoftwareVersions": "REMOVED",
}

# The anatomic regions that a chest CT names (PS3.16 CID 4031), with their own meanings: the text
# beside a code is free.
REGIONS = {
    ("SCT", "51185008"): "Chest",
    ("SRT", "T-D3000"): "Chest",
    ("SCT", "39607008"): "Lung",
    ("SRT", "T-28000"): "Lung",
    ("SCT", "113345001"): "Abdomen",
    ("SRT", "T-D4000"): "Abdomen",
    ("SCT", "416775004"): "Chest, Abdomen and Pelvis",
    ("SRT", "R-FAB56"): "Chest, Abdomen and Pelvis",
    ("SCT", "416550000"): "Chest and Abdomen",
    ("SRT", "R-FAB55"): "Chest and Abdomen",
}

# PS3.15 Table E.1-1 (edition 2024b), column "Basic Prof.", as far as the data dictionary of pydicom
# names the attribute. Repeating groups (50xx, 60xx) and private attributes are rules, not rows.
TABLE_E1_1: dict[str, frozenset[str]] = {
    action: _names(names)
    for action, names in {
        "D": """
AcquisitionFieldOfViewLabel AnnotationGroupLabel AnnotationGroupUID AssertionDateTime
AttributeModificationDateTime BeamHoldTransitionDateTime CertificateOfSigner
ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolID ClinicalTrialSponsorName
ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ContainerIdentifier ContentSequence
ContextGroupLocalVersion ContextGroupVersion Date DateTime DecayCorrectionDateTime DestinationAE
DeviceLabel DigitalSignatureDateTime EffectiveDateTime EncapsulatedDocument EntityLabel
EntityLongLabel ExclusionStartDateTime FlowIdentifier FlowIdentifierSequence
FrameAcquisitionDateTime FrameOriginTimestamp FrameReferenceDateTime FunctionalSyncPulse
GraphicAnnotationSequence HangingProtocolCreationDateTime ImpedanceMeasurementDateTime
InformationIssueDateTime InterlockDateTime InterlockDescription InterlockOriginDescription
ModifyingSystem OverrideDateTime PersonIdentificationCodeSequence PersonName RTPlanLabel
RTPrescriptionLabel RTToleranceSetLabel RadiationDoseIdentificationLabel
RadiationDoseInVivoMeasurementLabel RadiationGenerationModeLabel
ReasonForTheAttributeModification RecordedRTControlPointDateTime ReferencedDateTime
SafePositionExitDate SafePositionExitTime SafePositionReturnDate SafePositionReturnTime
SelectorAEValue SelectorASValue SelectorDAValue SelectorDTValue SelectorLOValue SelectorLTValue
SelectorOBValue SelectorPNValue SelectorSHValue SelectorSTValue SelectorTMValue SelectorUNValue
SelectorURValue SelectorUTValue SourceEndDateTime SourceIdentifier SourceStartDateTime
SourceStrengthReferenceDate SourceStrengthReferenceTime SpecimenIdentifier StructureSetLabel Time
TreatmentControlPointDate TreatmentControlPointTime TreatmentPositionGroupLabel
TreatmentToleranceViolationDateTime TreatmentToleranceViolationDescription UserContentLabel
UserContentLongLabel VerificationDateTime VerifyingObserverName VerifyingObserverSequence
VerifyingOrganization XRayDetectorID XRaySourceID
""",
        "Z": """
AccessionNumber CalibrationDateTime ClinicalTrialCoordinatingCenterName ClinicalTrialProtocolName
ClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialTimePointID
ConceptualVolumeCombinationDescription ConceptualVolumeDescription ConsultingPhysicianName
DeviceAlternateIdentifier FillerOrderNumberImagingServiceRequest FractionationNotes
IssuerOfTheContainerIdentifierSequence IssuerOfTheSpecimenIdentifierSequence
ManufacturerDeviceIdentifier ParticipationDateTime PatientBirthDate PatientName PatientSex
PlacerOrderNumberImagingServiceRequest PrescriptionNotes PrescriptionNotesSequence ROIInterpreter
ROIName RTAccessoryDeviceSlotID RTAccessoryHolderSlotID RTPhysicianIntentNarrative
RadiationGenerationModeDescription ReasonForSuperseding ReferringPhysicianName ReviewDate ReviewTime
SourceOfPreviousValues SpecimenPreparationSequence StructureSetDate StructureSetTime StudyDate
StudyID StudyTime TreatmentTechniqueNotes VerifyingObserverIdentificationCodeSequence
""",
        "U": """
AcquisitionUID ConcatenationUID ConceptualVolumeUID ConstituentConceptualVolumeUID DeviceUID
DigitalSignatureUID DimensionOrganizationUID DoseReferenceUID DosimetricObjectiveUID
FailedSOPInstanceUIDList FiducialUID FrameOfReferenceUID InstanceCreatorUID IrradiationEventUID
LargePaletteColorLookupTableUID ManufacturerDeviceClassUID MediaStorageSOPInstanceUID
MultiplexGroupUID ObservationSubjectUIDTrial ObservationUID PaletteColorLookupTableUID
PatientSetupUID PresentationDisplayCollectionUID PresentationSequenceCollectionUID PyramidUID
RTTreatmentPhaseUID ReferencedConceptualVolumeUID ReferencedDoseReferenceUID
ReferencedDosimetricObjectiveUID ReferencedFiducialsUID ReferencedFrameOfReferenceUID
ReferencedGeneralPurposeScheduledProcedureStepTransactionUID ReferencedObservationUIDTrial
ReferencedSOPInstanceUID ReferencedSOPInstanceUIDInFile ReferencedTreatmentPositionGroupUID
RelatedFrameOfReferenceUID RequestedSOPInstanceUID SOPInstanceUID SeriesInstanceUID
SourceConceptualVolumeUID SourceFrameOfReferenceUID SpecimenUID StorageMediaFileSetUID
StudyInstanceUID SynchronizationFrameOfReferenceUID TargetUID TemplateExtensionCreatorUID
TemplateExtensionOrganizationUID TrackingUID TransactionUID TreatmentPositionGroupUID
TreatmentSessionUID UID
""",
        "Z/D": """
ContentCreatorName ContentDate ContentTime ContrastBolusAgent InstructionPerformedDateTime PatientID
""",
        "X/Z": """
AcquisitionContextSequence AcquisitionDate AcquisitionTime BarcodeValue LabelText PatientSexNeutered
ReferencedStudySequence RequestedProcedureDescription ReviewerName SourceSerialNumber
TreatmentMachineName
""",
        "X/D": """
AcquisitionDeviceProcessingDescription DateOfLastDetectorCalibration DetectorID
EndAcquisitionDateTime FirstTreatmentDate InstanceCreationDate IntendedPhaseEndDate
IntendedPhaseStartDate MostRecentTreatmentDate ObservationDateTime OperatorIdentificationSequence
ProtocolName RTPlanDate RTPlanTime RTTreatmentApproachLabel SeriesDate SeriesTime
StartAcquisitionDateTime TimeOfLastDetectorCalibration TreatmentDate TreatmentSite TreatmentTime
""",
        "X/Z/D": """
AcquisitionDateTime DeviceSerialNumber InstanceCreationTime InstitutionCodeSequence InstitutionName
OperatorsName ReferencedPerformedProcedureStepSequence StationName
""",
        "X/Z/U*": """
ReferencedImageSequence SourceImageSequence
""",
        "X": """
AcquisitionComments AcquisitionProtocolDescription ActualHumanPerformersSequence
AdditionalPatientHistory AddressTrial AdmissionID AdmittingDate AdmittingDiagnosesCodeSequence
AdmittingDiagnosesDescription AdmittingTime AffectedSOPInstanceUID Allergies
AnnotationGroupDescription ApprovalStatusDateTime Arbitrary AssertionExpirationDateTime
AuthorObserverSequence BeamDescription BolusDescription BranchOfService CalibrationDate
CalibrationTime CameraOwnerName CassetteID CertifiedTimestamp
ClinicalTrialProtocolEthicsCommitteeApprovalNumber ClinicalTrialSeriesDescription
ClinicalTrialSeriesID ClinicalTrialTimePointDescription CommentsOnRadiationDose
CommentsOnThePerformedProcedureStep CompensatorDescription
ConfidentialityConstraintOnPatientDataDescription ConsultingPhysicianIdentificationSequence
ContainerComponentID ContainerDescription ContentCreatorIdentificationCodeSequence
ContrastBolusStartTime ContrastBolusStopTime ContributionDateTime ContributionDescription
CountryOfResidence CreationDate CreationTime CurrentObserverTrial CurrentPatientLocation CurveDate
CurveTime CustodialOrganizationSequence DataSetTrailingPadding
DateOfDocumentOrVerbalTransactionTrial DateOfInstallation DateOfLastCalibration DateOfManufacture
DateOfSecondaryCapture DateTimeOfLastCalibration DecompositionDescription DerivationDescription
DeviceDescription DeviceSettingDescription DigitalSignaturesSequence DischargeDate
DischargeDiagnosisDescription DischargeTime DisplacementReferenceLabel DistributionAddress
DistributionName DoseReferenceDescription EntityDescription EntityName
EquipmentFrameOfReferenceDescription EthicsCommitteeApprovalEffectivenessEndDate
EthicsCommitteeApprovalEffectivenessStartDate EthnicGroup
ExpectedCompletionDateTime FilterLookupTableDescription FindingsGroupRecordingDateTrial
FindingsGroupRecordingTimeTrial FixationDeviceDescription FractionGroupDescription FrameComments
GPSAltitude GPSAltitudeRef GPSAreaInformation GPSDOP GPSDateStamp GPSDestBearing GPSDestBearingRef
GPSDestDistance GPSDestDistanceRef GPSDestLatitude GPSDestLatitudeRef GPSDestLongitude
GPSDestLongitudeRef GPSDifferential GPSImgDirection GPSImgDirectionRef GPSLatitude GPSLatitudeRef
GPSLongitude GPSLongitudeRef GPSMapDatum GPSMeasureMode GPSProcessingMethod GPSSatellites GPSSpeed
GPSSpeedRef GPSStatus GPSTimeStamp GPSTrack GPSTrackRef GPSVersionID GantryID GeneratorID
HL7DocumentEffectiveTime HumanPerformerName HumanPerformerOrganization IconImageSequence
IdentifyingComments ImageComments ImagePresentationComments ImagingServiceRequestComments
Impressions InstanceCoercionDateTime InstanceOriginStatus InstitutionAddress
InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence InsurancePlanIdentification
IntendedFractionStartTime IntendedRecipientsOfResultsIdentificationSequence
InterpretationApprovalDate InterpretationApprovalTime InterpretationApproverSequence
InterpretationAuthor InterpretationDiagnosisDescription InterpretationID InterpretationIDIssuer
InterpretationRecordedDate InterpretationRecordedTime InterpretationRecorder InterpretationText
InterpretationTranscriber InterpretationTranscriptionDate InterpretationTranscriptionTime
InterventionDrugStartTime InterventionDrugStopTime IssueDateOfImagingServiceRequest
IssueTimeOfImagingServiceRequest IssuerOfAdmissionID IssuerOfAdmissionIDSequence
IssuerOfClinicalTrialProtocolID IssuerOfClinicalTrialSeriesID IssuerOfClinicalTrialSiteID
IssuerOfClinicalTrialSubjectID IssuerOfClinicalTrialSubjectReadingID
IssuerOfClinicalTrialTimePointID IssuerOfPatientID
IssuerOfServiceEpisodeID IssuerOfServiceEpisodeIDSequence LastMenstrualDate LensMake LensModel
LensSerialNumber LensSpecification LongDeviceDescription MAC MakerNote MedicalAlerts
MedicalRecordLocator MilitaryRank ModifiedAttributesSequence ModifiedImageDate
ModifiedImageDescription ModifiedImageTime ModifyingDeviceID MultienergyAcquisitionDescription
NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults NetworkID
NonconformingDataElementValue NonconformingModifiedAttributesSequence ObservationDateTrial
ObservationStartDateTime ObservationTimeTrial Occupation OrderCallbackPhoneNumber
OrderCallbackTelecomInformation OrderEnteredBy OrderEntererLocation OriginalAttributesSequence
Originator OtherClinicalTrialProtocolIDsSequence OtherPatientIDs OtherPatientIDsSequence
OtherPatientNames OverlayDate OverlayTime ParticipantSequence PatientAddress PatientAge
PatientBirthName PatientBirthTime PatientComments PatientInstitutionResidence
PatientInsurancePlanCodeSequence PatientMotherBirthName PatientPrimaryLanguageCodeSequence
PatientPrimaryLanguageModifierCodeSequence PatientReligiousPreference
PatientSetupPhotoDescription PatientSize PatientState PatientTelecomInformation
PatientTelephoneNumbers PatientTransportArrangements PatientTreatmentPreparationMethodDescription
PatientTreatmentPreparationProcedureParameterDescription PatientWeight PerformedLocation
PerformedProcedureStepDescription PerformedProcedureStepEndDate PerformedProcedureStepEndDateTime
PerformedProcedureStepEndTime PerformedProcedureStepID PerformedProcedureStepStartDate
PerformedProcedureStepStartDateTime PerformedProcedureStepStartTime PerformedStationAETitle
PerformedStationGeographicLocationCodeSequence PerformedStationName
PerformedStationNameCodeSequence PerformingPhysicianIdentificationSequence PerformingPhysicianName
PersonAddress PersonTelecomInformation PersonTelephoneNumbers PhysicianApprovingInterpretation
PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence
PhysiciansReadingStudyIdentificationSequence PlateID PositionAcquisitionTemplateDescription
PositionAcquisitionTemplateName PreMedication PregnancyStatus PrescriptionDescription
PresentationCreationDate PresentationCreationTime PriorTreatmentDoseDescription
ProcedureStepCancellationDateTime ProductExpirationDateTime PyramidDescription PyramidLabel
ROICreatorSequence ROIDateTime ROIDescription ROIGenerationDescription ROIInterpreterSequence
ROIObservationDateTime ROIObservationDescription ROIObservationLabel RTPlanDescription RTPlanName
RadiopharmaceuticalStartDateTime RadiopharmaceuticalStartTime RadiopharmaceuticalStopDateTime
RadiopharmaceuticalStopTime ReasonForOmissionDescription ReasonForRequestedProcedureCodeSequence
ReasonForStudy ReasonForTheImagingServiceRequest ReasonForTheRequestedProcedure ReasonForVisit
ReasonForVisitCodeSequence ReceivingAE ReferencedDigitalSignatureSequence
ReferencedPatientAliasSequence ReferencedPatientPhotoSequence ReferencedPatientSequence
ReferencedSOPInstanceMACSequence ReferringPhysicianAddress
ReferringPhysicianIdentificationSequence ReferringPhysicianTelephoneNumbers RegionOfResidence
RequestAttributesSequence RequestedContrastAgent RequestedProcedureComments RequestedProcedureID
RequestedProcedureLocation RequestedSeriesDescription RequestingAE RequestingPhysician
RequestingService RespiratoryMotionCompensationTechniqueDescription ResponsibleOrganization
ResponsiblePerson ResultsComments ResultsDistributionListSequence ResultsID ResultsIDIssuer
RetrieveAETitle SOPAuthorizationDateTime ScheduledAdmissionDate ScheduledAdmissionTime
ScheduledDischargeDate ScheduledDischargeTime ScheduledHumanPerformersSequence
ScheduledPatientInstitutionResidence ScheduledPerformingPhysicianIdentificationSequence
ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledProcedureStepEndDate
ScheduledProcedureStepEndTime ScheduledProcedureStepExpirationDateTime ScheduledProcedureStepID
ScheduledProcedureStepLocation ScheduledProcedureStepModificationDateTime
ScheduledProcedureStepStartDate ScheduledProcedureStepStartDateTime
ScheduledProcedureStepStartTime ScheduledStationAETitle
ScheduledStationGeographicLocationCodeSequence ScheduledStationName
ScheduledStationNameCodeSequence ScheduledStudyLocation ScheduledStudyLocationAETitle
ScheduledStudyStartDate ScheduledStudyStartTime ScheduledStudyStopDate ScheduledStudyStopTime
SeriesDescription ServiceEpisodeDescription ServiceEpisodeID SetupTechniqueDescription
ShieldingDeviceDescription SlideIdentifier SmokingStatus SourceManufacturer SpecialNeeds
SpecimenAccessionNumber SpecimenDetailedDescription SpecimenShortDescription StationAETitle
StructureSetDescription StructureSetName StudyArrivalDate StudyArrivalTime StudyComments
StudyCompletionDate StudyCompletionTime StudyDescription StudyIDIssuer StudyReadDate StudyReadTime
StudyVerifiedDate StudyVerifiedTime SubstanceAdministrationDateTime TelephoneNumberTrial
TemplateLocalVersion TemplateVersion TextComments TextString
TimeOfDocumentCreationOrVerbalTransactionTrial TimeOfLastCalibration TimeOfSecondaryCapture
TimezoneOffsetFromUTC TopicAuthor TopicKeywords TopicSubject TopicTitle
TransducerIdentificationSequence TreatmentSites UDISequence UniqueDeviceIdentifier
VerbalSourceTrial VerbalSourceIdentifierCodeSequenceTrial VisitComments WaveformFilterDescription
XRayDetectorLabel
""",
    }.items()
}
